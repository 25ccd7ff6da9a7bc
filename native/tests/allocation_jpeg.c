/*
 * Lets each allocation of the JPEG encoder fail in turn: every failure is reported, and nothing
 * leaks (the address sanitizer watches that). The files that allocate are included for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
#define finish finish_analysis
#include "../src/jpeg/analysis.c"
#undef finish
#include "../src/jpeg/reconstruct.c"
#include "../src/jpeg/tokens.c"
#include "../src/jpeg/encoder.c"
#include "../src/jpeg/refine.c"

enum { WIDTH = 150, HEIGHT = 140, PLENTY = 1000 };

static uint8_t pixels[WIDTH * HEIGHT * 3], shown[WIDTH * HEIGHT * 3];

/* Returns whether all succeeded with only `allowed` allocations. */
static int encode(int allowed)
{
    allocations_left = allowed;
    size_t size = 0;
    int done = 0;
    tinyjpg_jpeg *streamed = NULL, *kept = tinyjpg_jpeg_new(WIDTH, HEIGHT, CHROMA_420, 0);
    if (kept && tinyjpg_jpeg_push(kept, pixels, HEIGHT) == 0 &&
        tinyjpg_jpeg_plan(kept, 20, 5, 0) == 0) {
        done = tinyjpg_jpeg_show(kept, shown) == 0 && tinyjpg_jpeg_write(kept, 1, &size) == 0 &&
               tinyjpg_jpeg_write(kept, 0, &size) == 0;
        done = done && tinyjpg_jpeg_plan(kept, 500, 9, 1) == 0 &&
               tinyjpg_jpeg_refine(kept, pixels) == 0 && tinyjpg_jpeg_write(kept, 1, &size) == 0;
        streamed = tinyjpg_jpeg_stream(WIDTH, HEIGHT, kept, 1);
        done = done && streamed && tinyjpg_jpeg_push(streamed, pixels, HEIGHT) == 0 &&
               tinyjpg_jpeg_write(streamed, 1, &size) == 0;
    }
    tinyjpg_jpeg_free(streamed);
    tinyjpg_jpeg_free(kept);
    return done;
}

int main(void)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof pixels; i++) {
        seed = seed * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(seed >> 24);
    }
    int needed = 0;
    while (needed < PLENTY && !encode(needed)) {
        needed++;
    }
    /* Too few must fail, enough succeed. */
    if (needed == 0 || needed == PLENTY) {
        fprintf(stderr, "%d allocations were needed\n", needed);
        return 1;
    }
    puts("clean");
    return 0;
}
