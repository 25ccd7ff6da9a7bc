/*
 * Redraws frames of many sizes, palettes and tolerances for a build with sanitizers: they find what
 * is out of bounds or undefined. All buffers are exactly as large as they have to be.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../cdef.h"

static uint8_t *bytes(size_t size)
{
    uint8_t *made = malloc(size ? size : 1);
    if (!made) {
        abort();
    }
    return made;
}

static uint8_t *picture(size_t pixels, uint32_t seed, unsigned mask, int clears)
{
    uint8_t *made = bytes(4 * pixels);
    for (size_t i = 0; i < 4 * pixels; i++) {
        seed = seed * 1664525u + 1013904223u;
        made[i] = (uint8_t)((seed >> 24) & mask);
        if (i % 4 == 3) {
            made[i] = clears && (seed >> 16) % 7 == 0 ? 0 : 255;
        }
    }
    return made;
}

static int redraw(size_t pixels, int code_size, int colours, int transparent, double tolerance,
                  size_t room)
{
    uint8_t *target = picture(pixels, 1, 0xF0u, 0);
    uint8_t *shown = picture(pixels, 2, 0xC0u, transparent >= 0);
    uint8_t *palette = picture((size_t)(colours < 0 ? 0 : colours), 3, 0xFFu, 0);
    uint8_t *indices = bytes(pixels), *data = bytes(room), *stale = bytes(pixels);
    size_t size = 0;
    int status = tinyjpg_gif_redraw(target, shown, pixels, palette, colours, transparent, code_size,
                                    tolerance, 1, indices, data, room, &size);
    tinyjpg_gif_stale(target, shown, pixels, tolerance, stale);
    free(stale);
    free(data);
    free(indices);
    free(palette);
    free(shown);
    free(target);
    return status;
}

int main(void)
{
    static const size_t sizes[] = {1, 2, 3, 100, 5000, 40000};
    static const double tolerances[] = {0, 30, 2000, 1e30};
    int failures = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < sizeof tolerances / sizeof *tolerances; j++) {
            for (int code_size = 2; code_size <= 8; code_size += 3) {
                int colours = 1 << code_size;
                size_t room = 2 * sizes[i] + 64;
                failures += redraw(sizes[i], code_size, colours, -1, tolerances[j], room) != 0;
                failures += redraw(sizes[i], code_size, colours - 1, colours - 1, tolerances[j],
                                   room) != 0;
                redraw(sizes[i], code_size, colours, 0, tolerances[j], 3);
            }
        }
    }
    failures += redraw(10, 1, 2, -1, 0, 100) != -1;
    failures += redraw(10, 9, 256, -1, 0, 100) != -1;
    failures += redraw(10, 2, 5, -1, 0, 100) != -1;
    failures += redraw(10, 2, -1, -1, 0, 100) != -1;
    failures += redraw(10, 2, 0, -1, 0, 100) != -1;
    puts(failures ? "failed" : "clean");
    return failures != 0;
}
