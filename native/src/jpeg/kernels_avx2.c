/* The loops over samples, compiled for AVX2 with FMA. */
#include <math.h>
#include <string.h>

#include "jpeg.h"

#if X86_64_TARGETS
BEGIN_TARGET(AVX2_FEATURES)
#define VARIANT jpeg_kernels_avx2
#include "kernels.h"
END_TARGET
#endif
