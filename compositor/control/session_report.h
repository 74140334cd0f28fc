#pragma once

#include <memory>
#include <span>

#include <nlohmann/json.hpp>

#include "compositor/actions/bindings.h"
#include "compositor/output/output.h"
#include "compositor/protocols/linux_dmabuf.h"
#include "compositor/shell/desktop.h"

namespace vitrine {

// What vitrinectl shows of a session, as vitrine-control(7) documents it. Metadata alone: no pixel of any surface.

using Outputs = std::span<const std::unique_ptr<Output>>;

/** Per output: mode, scale, transform, position, HDCP, and the planes in use. */
[[nodiscard]] nlohmann::ordered_json outputsJson(Outputs outputs);
/** Per window that is mapped: title, app_id, box, states, and how each of its surfaces reaches each output, with the refusal. */
[[nodiscard]] nlohmann::ordered_json windowsJson(Desktop& desktop, Outputs outputs);
/** Per output: frames, commits, tests; and what became of clients' buffers. */
[[nodiscard]] nlohmann::ordered_json countersJson(Outputs outputs, const DmabufCounters& buffers);
/** Every action: name, argument, meaning. With the keys and buttons that are bound to it now. */
[[nodiscard]] nlohmann::ordered_json actionsJson(const Bindings& bindings);

} // namespace vitrine
