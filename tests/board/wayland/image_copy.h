#pragma once

#include <string_view>

#include "tests/board/wayland/shm_buffer.h"
#include "tests/board/wayland/wayland_connection.h"

// Captures by ext-image-copy-capture-v1, into shared memory. Errors: Missing if the compositor lacks a global; Invalid for its refusal;
// ETIMEDOUT if it does not answer.
namespace vitrine {

/** The first output. */
[[nodiscard]] Result<ShmBuffer> imageOfOutput(WaylandConnection& connection);

/** The first window with this title. Missing: there is none. */
[[nodiscard]] Result<ShmBuffer> imageOfWindow(WaylandConnection& connection, std::string_view title);

} // namespace vitrine
