#include "tests/board/plane-bench/output_choice.h"

#include <algorithm>
#include <format>

#include "tests/board/common/size_text.h"

namespace vitrine::bench {
namespace {

std::string modeText(const Mode& mode) {
  return std::format("{}x{}@{:.3f}", mode.size.width, mode.size.height, mode.refreshMilliHertz / 1000.0);
}

Result<const Connector*> chooseConnector(const KmsDevice& device, const std::string& name) {
  std::string there;
  for (const Connector& connector : device.connectors()) {
    if (connector.writeback) continue;
    if (!name.empty() ? connector.name == name : connector.connected) {
      if (connector.modes.empty())
        return missing("choose connector", connector.name, "it has no modes: nothing is connected");
      return &connector;
    }
    there += (there.empty() ? "" : ", ") + connector.name + (connector.connected ? "" : " (not connected)");
  }
  return missing("choose connector", name.empty() ? device.node() : name,
                 there.empty() ? "the device has no connectors" : "there are " + there);
}

Result<const Mode*> chooseMode(const Connector& connector, const std::string& text) {
  if (text.empty()) {
    const auto preferred = std::ranges::find(connector.modes, true, &Mode::preferred);
    return preferred == connector.modes.end() ? &connector.modes[0] : &*preferred;
  }
  std::string_view rest = text;
  const auto size = takeSize(rest);
  std::optional<uint32_t> hertz;
  if (size && takeCharacter(rest, '@')) hertz = takeNumber(rest);
  if (!size || !rest.empty())
    return invalid("parse", std::format("mode `{}`", text), "it has to be WxH or WxH@HZ, such as 1920x1080@60");
  std::string there;
  for (const Mode& mode : connector.modes) {
    if (mode.size == *size && (!hertz || (mode.refreshMilliHertz + 500) / 1000 == *hertz)) return &mode;
    there += (there.empty() ? "" : ", ") + modeText(mode);
  }
  return missing("choose mode", text, std::format("{} has {}", connector.name, there));
}

Result<const Crtc*> chooseCrtc(const KmsDevice& device, const Connector& connector) {
  const auto hasPrimary = [&](const Crtc& crtc) {
    return std::ranges::any_of(device.planes(), [&](const Plane& plane) {
      return plane.type == PlaneType::Primary && (plane.possibleCrtcs & (1U << crtc.index)) != 0;
    });
  };
  const Crtc* first = nullptr;
  for (const Crtc& crtc : device.crtcs()) {
    if ((connector.possibleCrtcs & (1U << crtc.index)) == 0 || !hasPrimary(crtc)) continue;
    if (connector.properties[ConnectorProperty::CrtcId].value == crtc.id) return &crtc;
    if (first == nullptr) first = &crtc;
  }
  if (first == nullptr) return missing("choose CRTC", connector.name, "it can use none that has a primary plane");
  return first;
}

} // namespace

Result<OutputChoice> chooseOutput(const KmsDevice& device, const std::string& connector, const std::string& mode) {
  const auto chosen = chooseConnector(device, connector);
  if (!chosen) return std::unexpected(chosen.error());
  const auto chosenMode = chooseMode(**chosen, mode);
  if (!chosenMode) return std::unexpected(chosenMode.error());
  const auto crtc = chooseCrtc(device, **chosen);
  if (!crtc) return std::unexpected(crtc.error());
  return OutputChoice{*chosen, *crtc, *chosenMode};
}

} // namespace vitrine::bench
