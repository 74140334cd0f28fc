#pragma once

#include "tests/board/wayland/wayland_connection.h"
#include "tests/clients/shm_buffer.h"

// Captures of the first output by wlr-screencopy. Errors: what the compositor refuses; ETIMEDOUT where it does not answer.
namespace vitrine {

/** The way that recorders take: into a dma-buf of the client's, an ordinary one from the kernel's heaps. */
[[nodiscard]] Result<Dmabuf> captureIntoDmabuf(WaylandConnection& connection);

/** The way that screenshots take. */
[[nodiscard]] Result<ShmBuffer> captureIntoShm(WaylandConnection& connection);

} // namespace vitrine
