/* Index smoothing: longer runs and repeated rows in a palette image, within a tolerance. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../cdef.h"

enum { RED, GREEN, BLUE, ALPHA, MOST_COLOURS = 256, OPAQUE = 255 };
enum { LEFT, ABOVE };

/*
 * With more a colour of a neighbouring area may flood a plain one whose colour is exact, pixel by
 * pixel. With less gradients, where steps are smaller than that, do not gain.
 */
enum { MOST_FLAT_TOLERANCE = 256 };

/* A colour times its alpha: what it adds to a background. */
struct seen {
    int channel[3];
    int alpha;
};

static struct seen see(const uint8_t *colour, int alpha)
{
    struct seen seen = {.alpha = alpha};
    for (int i = RED; i <= BLUE; i++) {
        seen.channel[i] = (colour[i] * alpha + OPAQUE / 2) / OPAQUE;
    }
    return seen;
}

/* The sum over the channels of the squared difference, on black or on white, the larger. */
static uint32_t difference(const struct seen *one, const struct seen *other)
{
    int covered = one->alpha - other->alpha;
    uint32_t sum = 0;
    for (int i = RED; i <= BLUE; i++) {
        int on_black = one->channel[i] - other->channel[i];
        int on_white = on_black - covered;
        int black = on_black * on_black, white = on_white * on_white;
        sum += (uint32_t)(black > white ? black : white);
    }
    return sum;
}

static int same(const uint8_t *one, const uint8_t *other, int bands)
{
    return memcmp(one, other, (size_t)bands) == 0;
}

size_t tinyjpg_smooth_indices(const uint8_t *pixels, int bands, size_t width, size_t height,
                              const uint8_t *colours, int count, uint32_t tolerance,
                              uint8_t *indices)
{
    struct seen palette[MOST_COLOURS];
    for (int i = 0; i < count; i++) {
        palette[i] = see(colours + 4 * i, colours[4 * i + ALPHA]);
    }
    size_t changed = 0;
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++, pixels += bands, indices++) {
            const uint8_t own = *indices;
            /* Without a neighbour on that side it is `own`, which changes nothing. */
            const uint8_t neighbours[] = {x ? indices[-1] : own, y ? *(indices - width) : own};
            if ((x && neighbours[LEFT] == own) || (y && neighbours[ABOVE] == own)) {
                continue;
            }
            struct seen original = see(pixels, bands == 4 ? pixels[ALPHA] : OPAQUE);
            int is_exact = original.alpha == 0 || original.alpha == OPAQUE;
            uint32_t already = difference(&original, &palette[own]);
            uint32_t most = already + tolerance;
            if (already == 0 && most > MOST_FLAT_TOLERANCE &&
                ((x && same(pixels, pixels - bands, bands)) ||
                 (x + 1 < width && same(pixels, pixels + bands, bands)) ||
                 (y && same(pixels, pixels - width * (size_t)bands, bands)))) {
                most = MOST_FLAT_TOLERANCE;
            }
            for (int i = LEFT; i <= ABOVE; i++) {
                const struct seen *colour = &palette[neighbours[i]];
                if (neighbours[i] != own && (!is_exact || colour->alpha == original.alpha) &&
                    difference(&original, colour) <= most) {
                    *indices = neighbours[i];
                    changed++;
                    break;
                }
            }
        }
    }
    return changed;
}
