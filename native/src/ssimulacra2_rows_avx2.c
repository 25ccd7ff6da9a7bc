/* The loops over samples, compiled for AVX2 with FMA. */
#include <math.h>
#include <string.h>

#include "ssimulacra2.h"

#if X86_64_TARGETS
BEGIN_TARGET(AVX2_FEATURES)
#define VARIANT row_kernels_avx2
#include "ssimulacra2_rows.h"
END_TARGET
#endif
