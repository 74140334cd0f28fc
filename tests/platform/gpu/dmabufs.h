#pragma once

#include <cstdint>
#include <vector>

#include "protected-path/base/unique_fd.h"

// Dma-bufs of either world, and the door through which the simulated GPU sees protected ones.

namespace vitrine::gpu::test {

/** A buffer of the protected heap with `content` in it, through the secure world. */
UniqueFd protectedBuffer(const std::vector<uint32_t>& content);

/** A buffer of the system heap. */
UniqueFd ordinaryDmabuf();

/** An open file of the simulated GPU, as its driver has one, to look through its door. */
UniqueFd openRenderNode();

/** What a protected buffer holds, read as the GPU's driver could. */
std::vector<uint32_t> contentOf(int protectedFd, size_t words);

} // namespace vitrine::gpu::test
