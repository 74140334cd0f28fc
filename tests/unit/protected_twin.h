#pragma once

#include "tests/unit/renderer_fixture.h"

// Buffers in real protected memory, which nobody may look into but the platform's GPU in a protected job.

namespace vitrine::test {

/** Where a twin's planes lie. */
enum class TwinPlanes {
  Together,
  Apart ///< each in a dma-buf of its own, which is empty where its plane is not
};

/** Whether there is a protected heap to take twins from. */
[[nodiscard]] bool hasProtectedHeap();

/** A buffer of the protected heap with the layout and the bytes of `model`, filled by the secure world and inspected. */
[[nodiscard]] Dmabuf protectedTwin(TestBuffer& model, TwinPlanes planes = TwinPlanes::Together);

/** Puts what a twin (with its planes together) holds into its model. */
void copyBack(const Dmabuf& twin, TestBuffer& model);

} // namespace vitrine::test
