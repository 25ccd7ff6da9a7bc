/* The portable code. On AArch64 this is the NEON variant: there NEON needs no special flags. */
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
