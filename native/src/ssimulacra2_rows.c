/*
 * The portable code, and which variant is used. On AArch64 the portable code is the NEON variant:
 * every such processor has NEON, compilers use it without special flags, and vectorise these loops
 * with it, fused multiply-add included (checked with GCC 12).
 */
#define VARIANT row_kernels_portable
#include "ssimulacra2_rows.h"

const struct row_kernels *row_kernels(void)
{
    switch (instruction_set()) {
#if X86_64_TARGETS
    case AVX2:
        return &row_kernels_avx2;
    case AVX512:
        return &row_kernels_avx512;
#endif
    default:
        return &row_kernels_portable;
    }
}
