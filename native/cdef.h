/*
 * The functions that Python sees: read by cffi and by the C compiler alike. Include <stddef.h> and
 * <stdint.h> before it. Every function may run in many threads at once, but for what is said.
 */

/* ---- dispatch.c ---- */

/*
 * Instruction sets by name: "portable", "avx2", "avx512", "neon". Without being forced it is the
 * best one of the processor, or that in the environment variable TINYJPG_INSTRUCTION_SET where it
 * is available.
 */

/* The one that is used. */
const char *tinyjpg_instruction_set(void);

/* Those of this processor and build, from index 0 on; NULL after the last. */
const char *tinyjpg_available_instruction_set(int index);

/* Uses this one from now on, or with NULL the usual one. Returns 0, or -1 if it is unavailable. */
int tinyjpg_force_instruction_set(const char *name);

/* ---- ssimulacra2.c ---- */

/*
 * Pixels are 8-bit sRGB code values, interleaved, rows from top to bottom without gaps, in 1 to 4
 * bands: grey, grey and alpha, RGB, RGB and alpha. Alpha is blended over a grey `background`, 0
 * (black) to 1 (white), in code values. Width and height are at least 8.
 */

/* An original, with what the score needs of it computed once; never changed once it is made. */
typedef struct tinyjpg_reference tinyjpg_reference;

/*
 * Prepares an original. The pixels are not kept. Needs about 7 bytes a pixel. NULL when memory runs
 * out or the size is too small or too large.
 */
tinyjpg_reference *tinyjpg_reference_new(const uint8_t *pixels, int bands, size_t width,
                                         size_t height, double background);

/* Frees a reference; NULL is fine. */
void tinyjpg_reference_free(tinyjpg_reference *reference);

/* Scores an image of the reference's size. Returns 0, or -1 when memory runs out. */
int tinyjpg_reference_score(const tinyjpg_reference *reference, const uint8_t *pixels, int bands,
                            double *score);

/*
 * The gradient of the weighted sum of errors that the score falls with, with respect to each code
 * value of `distorted`: three planes of width x height, red, green and blue, or with one band all of
 * it in the first. `bands` is 1 or 3. The same bits everywhere. Takes 130 bytes a pixel for a while.
 * Returns 0, or -1 when memory runs out or the size is too small or too large.
 */
int tinyjpg_gradient(const uint8_t *original, const uint8_t *distorted, int bands, size_t width,
                     size_t height, float *gradient);

/*
 * Two images that are compared row by row, in memory that grows with the width only. For one thread
 * at a time.
 */
typedef struct tinyjpg_comparison tinyjpg_comparison;

/* NULL when memory runs out or the size is too small or too large. */
tinyjpg_comparison *tinyjpg_comparison_new(size_t width, size_t height, double background);

/* Frees a comparison; NULL is fine. */
void tinyjpg_comparison_free(tinyjpg_comparison *comparison);

/* How many rows are still to come. */
size_t tinyjpg_comparison_missing(const tinyjpg_comparison *comparison);

/* Takes in the next rows of both images. Returns 0, or -1 if more rows are given than missing. */
int tinyjpg_comparison_push(tinyjpg_comparison *comparison, const uint8_t *original,
                            int original_bands, const uint8_t *distorted, int distorted_bands,
                            size_t rows);

/* Scores after the last row. Returns 0, or -1 if rows are missing. */
int tinyjpg_comparison_finish(tinyjpg_comparison *comparison, double *score);

/*
 * Redraws a frame as the LZW codes of a GIF image, without code size byte and sub-block lengths.
 *
 * `target` is what has to be shown, `shown` what is shown before the frame is drawn: RGBA, alpha 0
 * or 255, `pixels` of each in the order of the image. `palette` holds `colours` RGB triples, at most
 * 1 << `code_size` (2 to 8); `transparent` is the index that leaves a pixel as shown, -1 for none,
 * whatever colour the palette has there. Colours may be off by a square error of `tolerance` (luma in
 * code values, chroma counting less) where the palette allows; 0 is lossless. The index chosen for
 * each pixel goes to `indices`, the codes to `data` which has `room` bytes, their number to `size`.
 * Of strings that do equally well those that draw fewer pixels are taken, or more, as
 * `prefers_transparent` says.
 *
 * Returns 0; -1 when memory or room runs out or no index can show a pixel.
 */
int tinyjpg_gif_redraw(const uint8_t *target, const uint8_t *shown, size_t pixels,
                       const uint8_t *palette, int colours, int transparent, int code_size,
                       double tolerance, int prefers_transparent, uint8_t *indices, uint8_t *data,
                       size_t room, size_t *size);

/* Sets `stale` to 1 for pixels whose `shown` colour is farther off than `tolerance`, else to 0. */
void tinyjpg_gif_stale(const uint8_t *target, const uint8_t *shown, size_t pixels, double tolerance,
                       uint8_t *stale);

/*
 * Gives pixels of a palette image the index of the pixel on the left, or else above, where that
 * makes it compress better and hardly shows: the squared difference from the original grows by at
 * most `tolerance` (summed over red, green and blue times alpha, on black or on white, the larger).
 * Pixels that already repeat a neighbour stay, and alpha 0 and 255. In plain areas (the original is
 * the same on the left, on the right or above) whose colour is exact, `tolerance` is 256 at most,
 * else at most 2^31.
 *
 * `pixels` is the original in 3 or 4 bands, `colours` the palette, `count` (1 to 256) times RGB and
 * alpha, `indices` width x height of them, each below `count`. Returns how many changed.
 */
size_t tinyjpg_smooth_indices(const uint8_t *pixels, int bands, size_t width, size_t height,
                              const uint8_t *colours, int count, uint32_t tolerance,
                              uint8_t *indices);

/* ---- jpeg/encoder.c ---- */

/*
 * A picture on its way to a JPEG. Rows of 8-bit sRGB code values are pushed from top to bottom,
 * without gaps: RGB, or one band where the subsampling is 0 (greyscale); else it is 1 for 4:4:4,
 * 2 for 4:2:2, 3 for 4:2:0. For one thread at a time.
 */
typedef struct tinyjpg_jpeg tinyjpg_jpeg;

/*
 * A picture whose coefficients are kept, to be planned, shown and written any number of times once
 * all rows are in. About 6 bytes a pixel for 4:4:4, 3 for 4:2:0. `averaging` says what
 * pixels that share chroma get: the mean of their light (0), or as much as shows of their colours (1). NULL when memory runs out, or for a size
 * that no JPEG can have: 1 to 65500 in both dimensions.
 */
tinyjpg_jpeg *tinyjpg_jpeg_new(size_t width, size_t height, int subsampling, int averaging);

/* A picture that is coded as it comes, with the plan of `model`, and written once. NULL as above. */
tinyjpg_jpeg *tinyjpg_jpeg_stream(size_t width, size_t height, const tinyjpg_jpeg *model,
                                  int is_progressive);

/* Frees a picture; NULL is fine. */
void tinyjpg_jpeg_free(tinyjpg_jpeg *jpeg);

/* How many rows are still to come. */
size_t tinyjpg_jpeg_missing(const tinyjpg_jpeg *jpeg);

/* Takes in the next rows. Returns 0, or -1 if more are given than missing. */
int tinyjpg_jpeg_push(tinyjpg_jpeg *jpeg, const uint8_t *pixels, size_t rows);

/*
 * Decides how a kept picture is to be quantised: by the built-in tables times `scale` / 256, 1 to
 * 2^20; up to 64 every level is the nearest. `effort` is 1 to 9, `tables` 0 for photographs and 1
 * for what is drawn. Returns 0, or -1 when memory runs out: then it has no plan.
 */
int tinyjpg_jpeg_plan(tinyjpg_jpeg *jpeg, uint32_t scale, int effort, int tables);

/*
 * Moves what is quantised to where SSIMULACRA2 would rather have it, by its gradient at what the plan
 * makes of the picture: the next plan undoes it. `pixels` are all that were pushed. Nothing happens
 * where every level is the nearest, and where a side is below 8. Returns 0, or -1 when memory runs out.
 */
int tinyjpg_jpeg_refine(tinyjpg_jpeg *jpeg, const uint8_t *pixels);

/*
 * The pixels that decoders will show of a kept picture, as libjpeg-turbo rounds them. Returns 0, or
 * -1 when memory runs out.
 */
int tinyjpg_jpeg_show(const tinyjpg_jpeg *jpeg, uint8_t *pixels);

/*
 * Writes the file, whose size goes to `size`: JFIF, without other metadata. `is_progressive` counts
 * for kept pictures. Returns 0, or -1 when memory runs out.
 */
int tinyjpg_jpeg_write(tinyjpg_jpeg *jpeg, int is_progressive, size_t *size);

/* Copies the file that was written, and forgets it. */
void tinyjpg_jpeg_take(tinyjpg_jpeg *jpeg, uint8_t *out);

/* ---- memory.c ---- */

/* Gives freed memory that the allocator holds on to back to the system, where that can be done. */
void tinyjpg_release_memory(void);
