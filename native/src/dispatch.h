/*
 * Which instruction set the kernels use. Every kernel has portable code, and may have variants; it
 * picks one by `instruction_set()` when a piece of work starts. This is the only place that asks
 * the processor.
 */
#ifndef TINYJPG_DISPATCH_H
#define TINYJPG_DISPATCH_H

/* In order of preference; the numbers and names are those of ../cdef.h. */
enum instruction_set {
    PORTABLE,
    /* x86-64 with AVX2, FMA, BMI1 and BMI2: Haswell, Zen and later. */
    AVX2,
    /* The same with AVX-512 F, BW, CD, DQ and VL: Skylake-X, Zen 4 and later. */
    AVX512,
    /* Every AArch64 processor. */
    NEON,
    INSTRUCTION_SETS
};

/* The one in force: forced, named by TINYJPG_INSTRUCTION_SET, or the best that there is. */
enum instruction_set instruction_set(void);

/*
 * Functions between BEGIN_TARGET and END_TARGET are compiled for the named features whatever the
 * compiler's flags are. Include every other header before. X86_64_TARGETS says whether the x86-64
 * variants can be built at all.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define X86_64_TARGETS 1
#else
#define X86_64_TARGETS 0
#endif

#define AVX2_FEATURES "avx2,fma,bmi,bmi2"
#define AVX512_FEATURES AVX2_FEATURES ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl"

#define PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define BEGIN_TARGET(features) \
    PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define END_TARGET PRAGMA(clang attribute pop)
#else
#define BEGIN_TARGET(features) PRAGMA(GCC push_options) PRAGMA(GCC target(features))
#define END_TARGET PRAGMA(GCC pop_options)
#endif

#endif
