/* The portable code, which is the NEON variant on AArch64, and which variant is used. */
#define VARIANT jpeg_kernels_portable
#include "kernels.h"

const struct jpeg_kernels *jpeg_kernels(void)
{
    switch (instruction_set()) {
#if X86_64_TARGETS
    case AVX2:
        return &jpeg_kernels_avx2;
    case AVX512:
        return &jpeg_kernels_avx512;
#endif
    default:
        return &jpeg_kernels_portable;
    }
}
