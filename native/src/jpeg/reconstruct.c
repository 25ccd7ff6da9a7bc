/* What decoders show: inverse DCT, fancy upsampling and colour as libjpeg-turbo does them. */
#include <stdlib.h>
#include <string.h>

#include "jpeg.h"

static size_t stride_of(const struct component *component)
{
    return rounded_up(component->padded_across * SIDE, VECTOR);
}

int planes_new(struct planes *planes, const struct geometry *geometry,
               const struct jpeg_kernels *kernels)
{
    size_t sizes[MOST_COMPONENTS] = {0}, all = 0;
    for (int i = 0; i < geometry->count; i++) {
        const struct component *component = &geometry->components[i];
        sizes[i] = stride_of(component) * component->blocks_down * SIDE;
        all += sizes[i];
    }
    planes->geometry = geometry;
    planes->kernels = kernels;
    uint8_t *memory = planes->memory = malloc(all);
    for (int i = 0; i < geometry->count && memory; i++) {
        planes->samples[i] = memory;
        memory += sizes[i];
    }
    return planes->memory ? 0 : -1;
}

void planes_free(struct planes *planes)
{
    free(planes->memory);
    planes->memory = NULL;
}

void planes_block(const struct planes *planes, int component, size_t row, size_t column,
                  const struct quantiser *quantiser, const int16_t *levels, uint64_t nonzero)
{
    size_t stride = stride_of(&planes->geometry->components[component]);
    uint8_t *out = planes->samples[component] + row * SIDE * stride + column * SIDE;
    if ((nonzero & ~UINT64_C(1)) == 0) {
        int32_t value = ((levels[0] * quantiser->step[0] + 4) >> 3) + 128;
        value = value < 0 ? 0 : value > 255 ? 255 : value;
        for (size_t y = 0; y < SIDE; y++) {
            memset(out + y * stride, value, SIDE);
        }
        return;
    }
    int16_t coefficients[BLOCK] = {0};
    for (; nonzero; nonzero &= nonzero - 1) {
        int at = __builtin_ctzll(nonzero);
        coefficients[zigzag[at]] = (int16_t)(levels[at] * quantiser->step[at]);
    }
    planes->kernels->inverse(coefficients, out, stride);
}

int planes_show(const struct planes *planes, uint8_t *pixels)
{
    const struct geometry *geometry = planes->geometry;
    size_t width = geometry->width;
    size_t stride = stride_of(&geometry->components[0]);
    if (geometry->subsampling == GREY) {
        for (size_t y = 0; y < geometry->height; y++) {
            memcpy(pixels + y * width, planes->samples[0] + y * stride, width);
        }
        return 0;
    }
    size_t room = rounded_up(width, VECTOR);
    uint8_t *upsampled = malloc(2 * room);
    if (!upsampled) {
        return -1;
    }
    uint8_t *const chroma[2] = {upsampled, upsampled + room};
    size_t down = geometry->mcu_height / SIDE;
    size_t chroma_stride = stride_of(&geometry->components[1]);
    for (size_t y = 0; y < geometry->height; y++) {
        size_t row = y / down;
        size_t above = row ? row - 1 : row;
        size_t below = row + 1 < geometry->components[1].height ? row + 1 : row;
        for (int i = 0; i < 2; i++) {
            const uint8_t *samples = planes->samples[i + 1];
            upsample_chroma(geometry, planes->kernels, samples + above * chroma_stride,
                            samples + row * chroma_stride, samples + below * chroma_stride,
                            down == 2 && y % 2, chroma[i]);
        }
        planes->kernels->to_rgb(planes->samples[0] + y * stride, chroma, width,
                                pixels + 3 * y * width);
    }
    free(upsampled);
    return 0;
}
