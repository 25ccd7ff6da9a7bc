#include "dispatch.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../cdef.h"

static const char *const names[INSTRUCTION_SETS] = {"portable", "avx2", "avx512", "neon"};

/* The one in force and one more, so that 0 means that nobody has asked yet. */
static atomic_int in_force;

static int is_available(enum instruction_set set)
{
    switch (set) {
    case PORTABLE:
        return 1;
#if X86_64_TARGETS
    /* These also ask whether the operating system saves the wider registers. */
    case AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    case AVX512:
        return is_available(AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
#if defined(__aarch64__)
    case NEON:
        return 1;
#endif
    default:
        return 0;
    }
}

static int find(const char *name)
{
    for (int set = 0; set < INSTRUCTION_SETS; set++) {
        if (strcmp(name, names[set]) == 0 && is_available((enum instruction_set)set)) {
            return set;
        }
    }
    return -1;
}

static enum instruction_set detect(void)
{
    const char *wanted = getenv("TINYJPG_INSTRUCTION_SET");
    int set = wanted ? find(wanted) : -1;
    if (set < 0) {
        set = INSTRUCTION_SETS - 1;
        while (!is_available((enum instruction_set)set)) {
            set--;
        }
    }
    return (enum instruction_set)set;
}

enum instruction_set instruction_set(void)
{
    int set = atomic_load_explicit(&in_force, memory_order_relaxed) - 1;
    if (set < 0) {
        set = (int)detect();
        int nobody = 0;
        /* Whoever forces one meanwhile wins. */
        if (!atomic_compare_exchange_strong(&in_force, &nobody, set + 1)) {
            set = nobody - 1;
        }
    }
    return (enum instruction_set)set;
}

const char *tinyjpg_instruction_set(void)
{
    return names[instruction_set()];
}

const char *tinyjpg_available_instruction_set(int index)
{
    for (int set = 0; set < INSTRUCTION_SETS; set++) {
        if (is_available((enum instruction_set)set) && index-- == 0) {
            return names[set];
        }
    }
    return NULL;
}

int tinyjpg_force_instruction_set(const char *name)
{
    int set = name ? find(name) : (int)detect();
    if (set < 0) {
        return -1;
    }
    atomic_store(&in_force, set + 1);
    return 0;
}
