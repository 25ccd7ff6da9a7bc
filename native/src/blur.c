/* The Gaussian of sigma 1.5 as a zero-padded, separable filter of nine taps. */
#include "ssimulacra2.h"

/* What the reference program's recursive filter amounts to, from the centre outwards. */
#define TAP_0 .264621105f
#define TAP_1 .212928592f
#define TAP_2 .109335373f
#define TAP_3 .036011115f
#define TAP_4 .009414368f

void blur_along(const float *restrict row, size_t width, float *restrict out)
{
    for (size_t x = 0; x < width; x++) {
        const float *at = row + x;
        out[x] = TAP_0 * at[0] + TAP_1 * (at[-1] + at[1]) + TAP_2 * (at[-2] + at[2]) +
                 TAP_3 * (at[-3] + at[3]) + TAP_4 * (at[-4] + at[4]);
    }
}

void blur_across(const float *const rows[TAPS], size_t first, size_t count, float *restrict out)
{
    const float *a = rows[0] + first, *b = rows[1] + first, *c = rows[2] + first;
    const float *d = rows[3] + first, *e = rows[4] + first, *f = rows[5] + first;
    const float *g = rows[6] + first, *h = rows[7] + first, *i = rows[8] + first;
    for (size_t x = 0; x < count; x++) {
        out[x] = TAP_0 * e[x] + TAP_1 * (d[x] + f[x]) + TAP_2 * (c[x] + g[x]) +
                 TAP_3 * (b[x] + h[x]) + TAP_4 * (a[x] + i[x]);
    }
}
