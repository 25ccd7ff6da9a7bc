/* The loops over samples, compiled for AVX-512. */
#include <math.h>
#include <string.h>

#include "ssimulacra2.h"

#if X86_64_TARGETS
BEGIN_TARGET(AVX512_FEATURES)
#define VARIANT row_kernels_avx512
#include "ssimulacra2_rows.h"
END_TARGET
#endif
