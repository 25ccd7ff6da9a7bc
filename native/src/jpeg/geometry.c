/* How an image is divided into components, blocks and MCUs (T.81, A.1 and A.2). */
#include "jpeg.h"

const uint8_t zigzag[BLOCK] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

static const struct {
    uint8_t across, down;
} luma_factors[SUBSAMPLINGS] = {[GREY] = {1, 1}, [CHROMA_444] = {1, 1}, [CHROMA_422] = {2, 1},
                                [CHROMA_420] = {2, 2}};

static size_t divided_up(size_t value, size_t by)
{
    return (value + by - 1) / by;
}

int geometry_of(struct geometry *geometry, size_t width, size_t height, int subsampling,
                int averaging)
{
    if (width < 1 || height < 1 || width > LARGEST_SIDE || height > LARGEST_SIDE ||
        subsampling < 0 || subsampling >= SUBSAMPLINGS) {
        return -1;
    }
    int across = luma_factors[subsampling].across, down = luma_factors[subsampling].down;
    geometry->subsampling = (enum subsampling)subsampling;
    geometry->averaging = averaging ? AS_SHOWN : LINEAR_LIGHT;
    geometry->width = width;
    geometry->height = height;
    geometry->count = subsampling == GREY ? 1 : MOST_COMPONENTS;
    geometry->mcu_width = (size_t)(SIDE * across);
    geometry->mcu_height = (size_t)(SIDE * down);
    geometry->mcus_across = divided_up(width, geometry->mcu_width);
    geometry->mcus_down = divided_up(height, geometry->mcu_height);
    geometry->row_size = 0;
    for (int i = 0; i < geometry->count; i++) {
        struct component *component = &geometry->components[i];
        component->across = i ? 1 : across;
        component->down = i ? 1 : down;
        component->width = i ? divided_up(width, (size_t)across) : width;
        component->height = i ? divided_up(height, (size_t)down) : height;
        component->blocks_across = divided_up(component->width, SIDE);
        component->blocks_down = divided_up(component->height, SIDE);
        component->padded_across = geometry->mcus_across * (size_t)component->across;
        geometry->start[i] = geometry->row_size;
        geometry->row_size += component->padded_across * (size_t)component->down * BLOCK;
    }
    return 0;
}
