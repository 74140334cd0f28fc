#pragma once

#include <cstdint>
#include <vector>

#include "protected-path/base/unique_fd.h"

// Protected and ordinary dma-bufs, and the simulated GPU's access to protected ones.

namespace vitrine::gpu::test {

/** A buffer of the protected heap. The secure world writes `content` to it. */
UniqueFd protectedBuffer(const std::vector<uint32_t>& content);

/** A buffer of the system heap. */
UniqueFd ordinaryDmabuf();

/** An open file of the simulated GPU, as its driver has one. */
UniqueFd openRenderNode();

/** The content of a protected buffer, read in the same way as the GPU's driver does. */
std::vector<uint32_t> contentOf(int protectedFd, size_t words);

} // namespace vitrine::gpu::test
