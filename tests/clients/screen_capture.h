#pragma once

#include "tests/board/wayland/wayland_connection.h"
#include "tests/clients/shm_buffer.h"

// Captures of the first output by wlr-screencopy. Errors: the compositor's refusal; ETIMEDOUT if it does not answer.
namespace vitrine {

/** Captures as recorders do: to an ordinary dma-buf of the client, from the kernel's heaps. */
[[nodiscard]] Result<Dmabuf> captureIntoDmabuf(WaylandConnection& connection);

/** Captures as screenshot tools do: to shared memory. */
[[nodiscard]] Result<ShmBuffer> captureIntoShm(WaylandConnection& connection);

} // namespace vitrine
