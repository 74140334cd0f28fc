#pragma once

#include "protected-path/kms/atomic_request.h"

namespace vitrine {

// What a previous master may have left on objects that Vitrine uses, and how it is undone. Values are the kernel's defaults.

/** Colour and bit depth of a connector: no HDR metadata, colourspace Default, the greatest bit depth, no content protection. */
void describeNeutral(AtomicRequest& request, const Connector& connector);
/** Colour and refresh of a CRTC: no degamma, matrix or gamma; a fixed refresh rate. */
void describeNeutral(AtomicRequest& request, const Crtc& crtc);

} // namespace vitrine
