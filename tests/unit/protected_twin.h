#pragma once

#include "tests/unit/renderer_fixture.h"

// Buffers in real protected memory, which only a protected job of the platform's GPU can read.

namespace vitrine::test {

/** The placement of a twin's planes. */
enum class TwinPlanes {
  Together,
  Apart ///< each in a dma-buf of its own, which is zero outside its plane
};

/** Whether the machine has a protected heap for twins. */
[[nodiscard]] bool hasProtectedHeap();

/**
 * A buffer of the protected heap with the layout and the bytes of `model`: filled by the secure world, and inspected.
 */
[[nodiscard]] Dmabuf protectedTwin(TestBuffer& model, TwinPlanes planes = TwinPlanes::Together);

/** Copies the content of a twin (with its planes together) to its model. */
void copyBack(const Dmabuf& twin, TestBuffer& model);

} // namespace vitrine::test
