#pragma once

#include <span>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {

/**
 * Which bindings a shader module declares, and which of them it may write: storage without NonWritable, as SPIR-V
 * (the specification's "Variable Storage Class" and decorations) says it. A module counts for all its entry points.
 */
BindingUses bindingUses(std::span<const uint32_t> spirv);

} // namespace vitrine::gpu
