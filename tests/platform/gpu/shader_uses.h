#pragma once

#include <span>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {

/**
 * The bindings that a shader module declares, and those of them that it may write: storage without the decoration
 * NonWritable (SPIR-V specification). All entry points of a module count together.
 */
BindingUses bindingUses(std::span<const uint32_t> spirv);

} // namespace vitrine::gpu
