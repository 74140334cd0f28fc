#pragma once

#include <string>

#include "protected-path/kms/kms_device.h"

namespace vitrine::bench {

/** What is measured: a connector in a mode, on a CRTC. All belong to the device. */
struct OutputChoice {
  const Connector* connector = nullptr;
  const Crtc* crtc = nullptr;
  const Mode* mode = nullptr;
};

/**
 * The connector named, or the first connected one; the mode named (`1920x1080`, `1920x1080@60`), or the preferred one; the CRTC
 * that the connector uses now, or the first that has a primary plane. Missing with what there is instead, Invalid for a mode
 * that is no mode.
 */
[[nodiscard]] Result<OutputChoice> chooseOutput(const KmsDevice& device, const std::string& connector,
                                                const std::string& mode);

} // namespace vitrine::bench
