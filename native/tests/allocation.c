/*
 * Lets each allocation fail in turn: every failure is reported, and nothing leaks (the address
 * sanitizer watches that). The files that allocate are included for it.
 */
#include <stdio.h>
#include <stdlib.h>

static int allocations_left;

static void *failing_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *failing_calloc(size_t count, size_t size)
{
    return allocations_left-- > 0 ? calloc(count, size) : NULL;
}

#define malloc failing_malloc
#define calloc failing_calloc
#include "../src/stream.c"
#include "../src/ssimulacra2.c"
/* These are in it again. */
#define halve halve_plane
#define lay_out lay_out_pyramid
#include "../src/ssimulacra2_gradient.c"

enum { SIDE = 20, PLENTY = 1000 };

static const uint8_t original[SIDE * SIDE];
static uint8_t distorted[SIDE * SIDE];

/* Returns whether it succeeded with only `allowed` allocations. */
typedef int attempt(int allowed);

static int pair(int allowed)
{
    allocations_left = allowed;
    tinyjpg_comparison *comparison = tinyjpg_comparison_new(SIDE, SIDE, 0);
    tinyjpg_comparison_free(comparison);
    return comparison != NULL;
}

static int preparation(int allowed)
{
    allocations_left = allowed;
    tinyjpg_reference *reference = tinyjpg_reference_new(original, 1, SIDE, SIDE, 0);
    tinyjpg_reference_free(reference);
    return reference != NULL;
}

static int scoring(int allowed)
{
    double score;
    allocations_left = PLENTY;
    tinyjpg_reference *reference = tinyjpg_reference_new(original, 1, SIDE, SIDE, 0);
    allocations_left = allowed;
    int scored = reference && tinyjpg_reference_score(reference, distorted, 1, &score) == 0;
    tinyjpg_reference_free(reference);
    return scored;
}

static int slope(int allowed)
{
    static float gradient[3 * SIDE * SIDE];
    allocations_left = allowed;
    return tinyjpg_gradient(original, distorted, 1, SIDE, SIDE, gradient) == 0;
}

int main(void)
{
    attempt *const attempts[] = {pair, preparation, scoring, slope};
    int failures = 0;
    distorted[5] = 200;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        int needed = 0;
        while (needed < PLENTY && !attempts[i](needed)) {
            needed++;
        }
        /* Too few must fail, enough succeed, and none is unchecked in between. */
        if (needed == 0 || needed == PLENTY || allocations_left != 0) {
            fprintf(stderr, "attempt %zu needed %d allocations\n", i, needed);
            failures++;
        }
    }
    if (failures == 0) {
        puts("clean");
    }
    return failures != 0;
}
