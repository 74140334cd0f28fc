#pragma once

#include "protected-path/kms/kms_object.h"
#include "protected-path/planes/display_list.h"

namespace vitrine {

/** Whether one layer can go on one plane, as far as properties say. */
struct LayerFit {
  Refusal refusal = Refusal::None;
  bool opaqueFormat = false; ///< by the variant of its format without alpha
};

/** A layer that may not be composed: a plane or the placeholder. */
[[nodiscard]] inline bool isMandatory(const Layer& layer) {
  return layer.composeRefusal != Refusal::None;
}

/**
 * What the plane lacks for the layer, checked in the order of fitProgress(). A mandatory YCbCr layer also fits a plane
 * without COLOR_ENCODING or COLOR_RANGE, since a matrix that may be another one still beats the placeholder. Pure.
 */
[[nodiscard]] LayerFit fitLayer(const Layer& layer, const Plane& plane);

/** Whether the plane blends pixels premultiplied with their alpha, as Wayland's and composed ones are. */
[[nodiscard]] bool blendsPremultiplied(const Plane& plane);

/** How near a plane came before this refusal: of several planes' refusals the greatest is the most telling one. */
[[nodiscard]] unsigned fitProgress(Refusal refusal);

/** Whether it needs scaling or a fractional crop, of which planes' properties say nothing. */
[[nodiscard]] bool needsScaling(const Layer& layer);

/**
 * Rates compared by classes of a factor of two, so that their jitter moves no layer on or off a plane; the borders
 * (2.5, 5, 10, 20, 40, 80 per second) lie between the usual rates. 0 is static: below 1 per second, or below 0.5 for
 * what is on a plane.
 */
[[nodiscard]] int8_t changeClass(double changesPerSecond, bool wasOnPlane);

/** Changes per second that a class stands for; static content has a little, so that area still decides between such
 * layers. */
[[nodiscard]] double classRate(int8_t changeClass);

} // namespace vitrine
