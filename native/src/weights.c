/* The weights of SSIMULACRA2 2.1, and which of them count. */
#include "ssimulacra2.h"

#include <math.h>

/*
 * From github.com/cloudinary/ssimulacra2 (BSD-3-Clause), version 2.1. In order: channel (X, Y, B),
 * scale (1:1 to 1:32), norm (L1, L4), error map (ssim, ringing, blur).
 */
static const double weights[CHANNELS * SCALES * MEASURES] = {
    /* X 1:1 */
    0.0, 0.0007376606707406586, 0.0,
    0.0, 0.0007793481682867309, 0.0,
    /* X 1:2 */
    0.0, 0.0004371155730107379, 0.0,
    1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
    /* X 1:4 */
    0.0, 0.0016406437456599754, 0.0,
    1.8422455520539298, 11.441172603757666, 0.0,
    /* X 1:8 */
    0.0007989109436015163, 0.000176816438078653, 0.0,
    1.8787594979546387, 10.94906990605142, 0.0,
    /* X 1:16 */
    0.0007289346991508072, 0.9677937080626833, 0.0,
    0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
    /* X 1:32 */
    0.0004550992113792063, 0.0, 0.0,
    0.0013648766163243398, 0.0, 0.0,
    /* Y 1:1 */
    0.0, 0.0, 0.0,
    7.466890328078848, 0.0, 17.445833984131262,
    /* Y 1:2 */
    0.0006235601634041466, 0.0, 0.0,
    6.683678146179332, 0.00037724407979611296, 1.027889937768264,
    /* Y 1:4 */
    225.20515300849274, 0.0, 0.0,
    19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
    /* Y 1:8 */
    176.39317598450694, 0.0, 0.0,
    24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
    /* Y 1:16 */
    0.0, 0.0, 0.0,
    34.77906344483772, 44.835625328877896, 0.0,
    /* Y 1:32 */
    0.0, 0.0, 0.0,
    0.0, 0.0, 0.0,
    /* B 1:1 */
    0.0, 0.0008680556573291698, 0.0,
    0.0, 0.0, 0.0,
    /* B 1:2 */
    0.0, 0.0005313191874358747, 0.0,
    0.00016533814161379112, 0.0, 0.0,
    /* B 1:4 */
    0.0, 0.0, 0.0,
    0.0004179171803251336, 0.0017290828234722833, 0.0,
    /* B 1:8 */
    0.0020827005846636437, 0.0, 0.0,
    8.826982764996862, 23.19243343998926, 0.0,
    /* B 1:16 */
    95.1080498811086, 0.9863978034400682, 0.9834382792465353,
    0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
    /* B 1:32 */
    0.0, 0.0, 0.0,
    0.0005130064588990679, 0.0, 0.00010854057858411537,
};

/*
 * 83 of the weights are below .0021, most of them 0, and no other is below .28. Leaving the small
 * ones out moves no score by more than .0011 and saves whole planes.
 */
static const double least_weight = .01;

static int count_scales(size_t width, size_t height)
{
    int scales = 0;
    while (scales < SCALES && width >= SMALLEST_SIDE && height >= SMALLEST_SIDE) {
        scales++;
        /* The size that decides is that of the scale before: the image itself for the first two. */
        if (scales > 1) {
            width = (width + 1) / 2;
            height = (height + 1) / 2;
        }
    }
    return scales;
}

struct plan plan_for(size_t width, size_t height)
{
    struct plan plan = {0};
    int scales = count_scales(width, height);
    /* Taken in sequence: with fewer scales the same places mean other planes. */
    const double *next = weights;
    for (int channel = 0; channel < CHANNELS; channel++) {
        for (int scale = 0; scale < scales; scale++) {
            struct plane_weights *plane = &plan.planes[scale][channel];
            for (int measure = 0; measure < MEASURES; measure++, next++) {
                if (*next >= least_weight) {
                    plane->weight[measure] = *next;
                    plane->measures |= 1u << measure;
                }
            }
            if (plane->measures && plan.scales <= scale) {
                plan.scales = scale + 1;
            }
        }
    }
    return plan;
}

double score_from_sum(double sum)
{
    double s = sum * .9562382616834844;
    s = ((6.248496625763138e-5 * s - .020884521182843837) * s + 2.326765642916932) * s;
    return s > 0 ? 100.0 - 10.0 * pow(s, .6276336467831387) : 100.0;
}
