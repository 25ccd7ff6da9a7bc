/* The loops over samples, compiled for AVX-512. */
#include <math.h>
#include <string.h>

#include "jpeg.h"

#if X86_64_TARGETS
BEGIN_TARGET(AVX512_FEATURES)
#define VARIANT jpeg_kernels_avx512
#include "kernels.h"
END_TARGET
#endif
