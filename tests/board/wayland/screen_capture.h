#pragma once

#include <vector>

#include "tests/board/wayland/shm_buffer.h"
#include "tests/board/wayland/wayland_connection.h"

// Captures of the first output by wlr-screencopy. Errors: the compositor's refusal; ETIMEDOUT if it does not answer.
namespace vitrine {

/** Captures as recorders do: to an ordinary dma-buf of the client, from the kernel's heaps. */
[[nodiscard]] Result<Dmabuf> captureIntoDmabuf(WaylandConnection& connection);

/** Captures as screenshot tools do: to shared memory. */
[[nodiscard]] Result<ShmBuffer> captureIntoShm(WaylandConnection& connection);

/** What was captured, as XRGB8888 without gaps between rows. Invalid: its format has not four bytes a pixel. Errors of Mapping::map(). */
[[nodiscard]] Result<std::vector<uint32_t>> pixelsOf(const Dmabuf& capture);
[[nodiscard]] Result<std::vector<uint32_t>> pixelsOf(const ShmBuffer& capture);

} // namespace vitrine
