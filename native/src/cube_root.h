/* The cube root that the metric and its gradient have in common. */
#ifndef TINYJPG_CUBE_ROOT_H
#define TINYJPG_CUBE_ROOT_H

#include <stdint.h>
#include <string.h>

/*
 * Cube root of a positive number. The inverse root is guessed from the exponent and the error of
 * that, up to 10.3 % in the cube, taken out by (1 - error)^(-2/3), here a minimax polynomial: right
 * to 1.4e-7 of the root. Without branches or divisions, so that compilers vectorise it.
 */
static inline float cube_root(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = 0x54a1fca4 - (int32_t)((float)bits * (1.0f / 3.0f));
    float inverse;
    memcpy(&inverse, &bits, sizeof inverse);
    float root = value * (inverse * inverse);
    float error = 1.0f - root * inverse;
    float polynomial = .427753388881683f;
    polynomial = polynomial * error + .458525955677032f;
    polynomial = polynomial * error + .493810385465622f;
    polynomial = polynomial * error + .555536627769470f;
    polynomial = polynomial * error + .666666686534882f;
    return root * (error * polynomial) + root;
}

#endif
