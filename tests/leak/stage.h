#pragma once

#include <optional>
#include <string>

#include "tests/leak/scene.h"

namespace vitrine::test {

/** Shows scenes. One stage shows all of them, so each must cope with the state that the one before has left. */
class LeakStage {
public:
  LeakStage() = default;
  LeakStage(const LeakStage&) = delete;
  LeakStage& operator=(const LeakStage&) = delete;
  virtual ~LeakStage() = default;

  /** Shows a scene, and searches for the secret after each frame. Returns the leak as text; empty: none. */
  [[nodiscard]] virtual std::optional<std::string> show(const LeakScene& scene) = 0;

  struct Account {
    size_t frames = 0;
    size_t inProtectedMemory = 0; ///< frames composed in protected memory
    size_t captures = 0;
    size_t buffersSearched = 0;
    size_t recoveries = 0; ///< of the GPU
  };
  [[nodiscard]] const Account& account() const { return account_; }

protected:
  /** Green in readable buffers; see searchBuffers(). */
  [[nodiscard]] std::optional<std::string> search();
  Account account_;
};

/** Whether the board has a GPU. Without one there is no explicit synchronisation, and nothing is composed in protected memory. */
[[nodiscard]] bool hasRenderNode();

/** The first seed: VITRINE_LEAK_SEED, or a random one. Prints it. */
[[nodiscard]] unsigned leakSeed();
/**
 * Number of scenes: VITRINE_LEAK_SCENES, or `otherwise`. With the (slow) validation layer a tenth, but at least
 * fairChoice.
 */
[[nodiscard]] unsigned leakScenes(unsigned otherwise, bool validation);

/** Shows `scenes` random scenes, with seeds from `seed` on. A leak fails the test and prints the reduced scene. */
void showScenes(LeakStage& stage, unsigned seed, unsigned scenes);

} // namespace vitrine::test
