/*
 * The functions that Python sees: read by cffi and by the C compiler alike. Include <stddef.h> and
 * <stdint.h> before it.
 *
 * Pixels are 8-bit sRGB code values, interleaved, rows from top to bottom without gaps, in 1 to 4
 * bands: grey, grey and alpha, RGB, RGB and alpha. Alpha is blended over a grey `background`, 0
 * (black) to 1 (white), in code values. Every function may run in many threads at once; a reference
 * is never changed once it is made.
 */

/* An original, with what the score needs of it computed once. */
typedef struct tinyjpg_reference tinyjpg_reference;

/*
 * Prepares an original of width x height pixels, both at least 8. The pixels are not kept. Needs
 * about 19 bytes a pixel. NULL when memory runs out or the size is too small or too large.
 */
tinyjpg_reference *tinyjpg_reference_new(const uint8_t *pixels, int bands, size_t width,
                                         size_t height, double background);

/* Frees a reference; NULL is fine. */
void tinyjpg_reference_free(tinyjpg_reference *reference);

/* Scores an image of the reference's size. Returns 0, or -1 when memory runs out. */
int tinyjpg_reference_score(const tinyjpg_reference *reference, const uint8_t *pixels, int bands,
                            double *score);

/*
 * Scores a pair at once: memory grows with the width only. Returns 0, or -1 when memory runs out or
 * the size is too small or too large.
 */
int tinyjpg_ssimulacra2(const uint8_t *original, int original_bands, const uint8_t *distorted,
                        int distorted_bands, size_t width, size_t height, double background,
                        double *score);
