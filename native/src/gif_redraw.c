/*
 * Redraws a frame of an animation as GIF image data, with colours altered where that takes fewer
 * bytes: LZW whose encoder may choose, for every pixel, any symbol that shows about the right
 * colour, the transparent one included where what is shown already is about right.
 *
 * Strings of the dictionary are the paths of a tree. For each code all of them that fit the next
 * pixels are walked, and the one worth most is written: every pixel covered is worth a fixed amount,
 * every error costs its square. Part of the error of a pixel is carried to the next, so that the
 * mean colour of an area stays.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../cdef.h"

enum {
    MOST_CODES = 4096,
    MOST_COLOURS = 256,
    WIDEST_CODE = 12,
    /* Children looked at for one code: bounds the time that noise takes. */
    MOST_VISITS = 2048,
    /* Codes after which a full dictionary is judged. */
    JUDGED_CODES = 512
};

/* A full dictionary is dropped when its codes cover less than this part of what they did at best. */
static const double WORN_OUT = 0.8;
/* What of an error is carried to the next pixel. */
static const float CARRIED = 0.625F;
/* What covering a pixel is worth, as part of the largest error allowed. */
static const float WORTH = 0.35F;
/* Decides between strings of equal worth. */
static const float NUDGE = 0.01F;

/* Luma, red against green and blue against luma, scaled by how much an error in each shows. */
struct colour {
    float part[3];
};

static struct colour colour_of(const uint8_t *rgb)
{
    float red = rgb[0], green = rgb[1], blue = rgb[2];
    float luma = 0.30F * red + 0.62F * green + 0.08F * blue;
    return (struct colour){{luma, (red - green) * 0.75F, (blue - luma) * 0.5F}};
}

/*
 * The square error of showing `shown`, the smaller of with and without all that was carried;
 * negative where that exceeds `limit`.
 */
static inline float error_of(const struct colour *wanted, const struct colour *shown,
                             const float carried[3], float limit, float left[3])
{
    float full = 0.0F, half = 0.0F;
    for (int part = 0; part < 3; part++) {
        float difference = wanted->part[part] - shown->part[part];
        float eased = difference + 0.5F * carried[part];
        left[part] = difference + carried[part];
        full += left[part] * left[part];
        half += eased * eased;
        if (full > limit && half > limit) {
            return -1.0F;
        }
    }
    return full < half ? full : half;
}

/* ---- the dictionary ---- */

struct dictionary {
    uint16_t child[MOST_CODES], sibling[MOST_CODES];
    uint8_t symbol[MOST_CODES], first_symbol[MOST_CODES];
    unsigned clear_code, size;
    int width;
};

static void reset(struct dictionary *known, int code_size)
{
    memset(known->child, 0, sizeof known->child);
    known->clear_code = 1U << code_size;
    for (unsigned code = 0; code < known->clear_code; code++) {
        known->symbol[code] = known->first_symbol[code] = (uint8_t)code;
    }
    known->size = known->clear_code + 2;
    known->width = code_size + 1;
}

static int has_child(const struct dictionary *known, unsigned parent, uint8_t symbol)
{
    unsigned code = known->child[parent];
    while (code != 0 && known->symbol[code] != symbol) {
        code = known->sibling[code];
    }
    return code != 0;
}

/* Makes the next code, not yet counted, stand for `parent` and `symbol`. */
static void link_next(struct dictionary *known, unsigned parent, uint8_t symbol)
{
    unsigned code = known->size;
    known->child[code] = 0;
    known->symbol[code] = symbol;
    known->first_symbol[code] = known->first_symbol[parent];
    known->sibling[code] = known->child[parent];
    known->child[parent] = (uint16_t)code;
}

/* ---- the bits ---- */

struct writer {
    uint8_t *data;
    size_t room, size;
    uint32_t bits;
    int count, overflow;
};

static void put_byte(struct writer *out)
{
    if (out->size < out->room) {
        out->data[out->size++] = (uint8_t)out->bits;
    } else {
        out->overflow = 1;
    }
    out->bits >>= 8;
    out->count -= 8;
}

static void put(struct writer *out, unsigned code, int width)
{
    out->bits |= code << out->count;
    out->count += width;
    while (out->count >= 8) {
        put_byte(out);
    }
}

/* ---- the search for a string ---- */

struct scene {
    const uint8_t *target, *shown;
    size_t pixels;
    const struct colour *wanted, *present;
    struct colour palette[MOST_COLOURS];
    /* Indices of the colours to paint with, in the order of their luma. */
    uint8_t by_luma[MOST_COLOURS];
    int colours, painting, transparent;
    float tolerance, reach, worth, nudge;
};

struct step {
    unsigned code;
    float value;
    float carried[3];
};

struct search {
    struct step path[MOST_CODES + 1];
    uint8_t symbols[MOST_CODES + 1];
    float best_value;
    int visits;
};

struct match {
    unsigned code;
    size_t length;
    float carried[3];
    uint8_t symbols[MOST_CODES + 1];
};

/* The error of painting pixel `at` with `symbol`; negative where it exceeds `limit` or cannot be. */
static inline float paint(const struct scene *scene, size_t at, unsigned symbol,
                          const float carried[3], float limit, float left[3])
{
    if ((int)symbol == scene->transparent) {
        if (scene->target[4 * at + 3] != scene->shown[4 * at + 3]) {
            return -1.0F;
        }
        if (!scene->target[4 * at + 3]) {
            left[0] = left[1] = left[2] = 0.0F;
            return 0.0F;
        }
        return error_of(&scene->wanted[at], &scene->present[at], carried, limit, left);
    }
    if (!scene->target[4 * at + 3] || (int)symbol >= scene->colours) {
        return -1.0F;
    }
    return error_of(&scene->wanted[at], &scene->palette[symbol], carried, limit, left);
}

static void carry(const float left[3], float carried[3])
{
    for (int part = 0; part < 3; part++) {
        carried[part] = left[part] * CARRIED;
    }
}

/* Where nothing is near enough, the nearest symbol has to do; length 0 where none is possible. */
static void find_nearest(const struct scene *scene, const struct dictionary *known, size_t at,
                         const float carried[3], struct match *best)
{
    float nearest = INFINITY;
    best->length = 0;
    for (unsigned root = 0; root < known->clear_code; root++) {
        float left[3];
        float error = paint(scene, at, root, carried, INFINITY, left);
        if (error >= 0.0F && error < nearest) {
            nearest = error;
            best->code = root;
            best->length = 1;
            best->symbols[0] = (uint8_t)root;
            carry(left, best->carried);
        }
    }
}

/* Walks all known strings that begin with `root` and fit the pixels from `at` on. */
static void walk(const struct scene *scene, const struct dictionary *known, unsigned root,
                 size_t at, struct search *search, struct match *best)
{
    struct step *path = search->path;
    size_t depth = 0;
    unsigned code = root;
    for (;;) {
        float left[3];
        uint8_t symbol = known->symbol[code];
        float error =
            paint(scene, at + depth, symbol, path[depth].carried, scene->tolerance, left);
        int goes_on = 0;
        search->visits--;
        if (error >= 0.0F) {
            float value = path[depth].value + scene->worth - error;
            value += (int)symbol == scene->transparent ? scene->nudge : 0.0F;
            search->symbols[depth] = symbol;
            if (!best->length || value > search->best_value) {
                search->best_value = value;
                best->code = code;
                best->length = depth + 1;
                memcpy(best->symbols, search->symbols, depth + 1);
                carry(left, best->carried);
            }
            if (known->child[code] && at + depth + 1 < scene->pixels && search->visits > 0) {
                depth++;
                path[depth].code = code = known->child[code];
                path[depth].value = value;
                carry(left, path[depth].carried);
                goes_on = 1;
            }
        }
        /* Else on to the next sibling, or that of the nearest ancestor that has one. */
        while (!goes_on && depth > 0) {
            code = known->sibling[path[depth].code];
            if (code != 0 && search->visits > 0) {
                path[depth].code = code;
                goes_on = 1;
            } else {
                depth--;
            }
        }
        if (!goes_on) {
            return;
        }
    }
}

/* Finds the string worth most for the pixels from `at` on; length 0 where nothing is possible. */
static void find(const struct scene *scene, const struct dictionary *known, size_t at,
                 const float carried[3], struct search *search, struct match *best)
{
    search->visits = MOST_VISITS;
    search->path[0].value = 0.0F;
    memcpy(search->path[0].carried, carried, sizeof search->path[0].carried);
    best->length = 0;
    if (scene->transparent >= 0) {
        walk(scene, known, (unsigned)scene->transparent, at, search, best);
    }
    /* Only colours of about the right luma can be near enough. */
    float luma = scene->wanted[at].part[0];
    float reach = scene->reach + fabsf(carried[0]);
    int low = 0, high = scene->painting;
    while (low < high) {
        int middle = (low + high) / 2;
        if (scene->palette[scene->by_luma[middle]].part[0] < luma - reach) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < scene->painting; low++) {
        unsigned root = scene->by_luma[low];
        if (scene->palette[root].part[0] > luma + reach) {
            break;
        }
        walk(scene, known, root, at, search, best);
    }
    if (!best->length) {
        find_nearest(scene, known, at, carried, best);
    }
}

/* ---- the encoder ---- */

struct work {
    struct dictionary known;
    struct search search;
    struct match found;
};

static int encode(const struct scene *scene, int code_size, struct work *work, uint8_t *indices,
                  struct writer *out)
{
    struct dictionary *known = &work->known;
    struct match *found = &work->found;
    float carried[3] = {0.0F, 0.0F, 0.0F};
    /* The code whose string, and the first symbol after it, become the next entry. */
    int pending = -1;
    size_t judged_from = 0;
    int codes = 0;
    double best_rate = 0.0;

    reset(known, code_size);
    put(out, known->clear_code, known->width);
    for (size_t at = 0; at < scene->pixels && !out->overflow;) {
        int grows = pending >= 0 && known->size < MOST_CODES, guessed = 0;
        unsigned parent = pending < 0 ? 0 : (unsigned)pending;
        uint8_t guess = known->first_symbol[parent];
        if (grows && !has_child(known, parent, guess)) {
            /* The entry may be used at once if the string begins as its parent does. */
            link_next(known, parent, guess);
            guessed = 1;
        }
        find(scene, known, at, carried, &work->search, found);
        if (found->length == 0) {
            return -1;
        }
        put(out, found->code, known->width);
        if (grows) {
            if (guessed && found->symbols[0] != guess) {
                known->child[parent] = known->sibling[known->size];
            }
            if (!(guessed && found->symbols[0] == guess) &&
                !has_child(known, parent, found->symbols[0])) {
                link_next(known, parent, found->symbols[0]);
            }
            known->size++;
            if (known->size == 1U << known->width && known->width < WIDEST_CODE) {
                known->width++;
            }
        }
        pending = (int)found->code;
        memcpy(indices + at, found->symbols, found->length);
        memcpy(carried, found->carried, sizeof carried);
        at += found->length;
        if (known->size < MOST_CODES) {
            judged_from = at;
            codes = 0;
        } else if (++codes == JUDGED_CODES) {
            double rate = (double)(at - judged_from) / codes;
            best_rate = rate > best_rate ? rate : best_rate;
            judged_from = at;
            codes = 0;
            if (rate < best_rate * WORN_OUT) {
                put(out, known->clear_code, known->width);
                reset(known, code_size);
                pending = -1;
                best_rate = 0.0;
            }
        }
    }
    put(out, known->clear_code + 1, known->width);
    while (out->count > 0) {
        put_byte(out);
    }
    return out->overflow ? -1 : 0;
}

/* Sorts by insertion, which keeps equals in order: a palette is small. */
static void sort_by_luma(struct scene *scene)
{
    scene->painting = 0;
    for (int index = 0; index < scene->colours; index++) {
        if (index == scene->transparent) {
            continue;
        }
        int place = scene->painting++;
        float luma = scene->palette[index].part[0];
        while (place > 0 && scene->palette[scene->by_luma[place - 1]].part[0] > luma) {
            scene->by_luma[place] = scene->by_luma[place - 1];
            place--;
        }
        scene->by_luma[place] = (uint8_t)index;
    }
}

int tinyjpg_gif_redraw(const uint8_t *target, const uint8_t *shown, size_t pixels,
                       const uint8_t *palette, int colours, int transparent, int code_size,
                       double tolerance, int prefers_transparent, uint8_t *indices, uint8_t *data,
                       size_t room, size_t *size)
{
    if (code_size < 2 || code_size > 8 || colours < 0 || colours > 1 << code_size ||
        transparent >= 1 << code_size) {
        return -1;
    }
    if (pixels > SIZE_MAX / (2 * sizeof(struct colour))) {
        return -1;
    }
    struct colour *converted = malloc((2 * pixels + 1) * sizeof *converted);
    struct work *work = malloc(sizeof *work);
    int status = -1;
    if (converted && work) {
        struct scene scene = {
            .target = target,
            .shown = shown,
            .pixels = pixels,
            .wanted = converted,
            .present = converted + pixels,
            .colours = colours,
            .transparent = transparent,
            .tolerance = (float)tolerance,
        };
        /* Without loss the longest string is still worth most. */
        scene.worth = scene.tolerance * WORTH + 1.0F / 256.0F;
        scene.nudge = scene.worth * (prefers_transparent ? NUDGE : -NUDGE);
        for (int index = 0; index < colours; index++) {
            scene.palette[index] = colour_of(palette + 3 * (size_t)index);
        }
        sort_by_luma(&scene);
        /* A little more than it has to be: nothing may be missed by rounding. */
        scene.reach = sqrtf(scene.tolerance) * 1.001F + 0.01F;
        for (size_t at = 0; at < pixels; at++) {
            converted[at] = colour_of(target + 4 * at);
            converted[pixels + at] = colour_of(shown + 4 * at);
        }
        struct writer out = {.data = data, .room = room};
        status = encode(&scene, code_size, work, indices, &out);
        *size = out.size;
    }
    free(work);
    free(converted);
    return status;
}

void tinyjpg_gif_stale(const uint8_t *target, const uint8_t *shown, size_t pixels, double tolerance,
                       uint8_t *stale)
{
    static const float nothing[3] = {0.0F, 0.0F, 0.0F};
    for (size_t at = 0; at < pixels; at++) {
        const uint8_t *wanted = target + 4 * at, *present = shown + 4 * at;
        stale[at] = wanted[3] != present[3];
        if (!stale[at] && wanted[3] && memcmp(wanted, present, 3) != 0) {
            float left[3];
            struct colour one = colour_of(wanted), other = colour_of(present);
            stale[at] = error_of(&one, &other, nothing, (float)tolerance, left) < 0.0F;
        }
    }
}
