#pragma once

#include <optional>
#include <string>

#include "tests/leak/scene.h"

namespace vitrine::test {

/** Where scenes are shown. One for all of them: what one leaves behind, the next must cope with. */
class LeakStage {
public:
  LeakStage() = default;
  LeakStage(const LeakStage&) = delete;
  LeakStage& operator=(const LeakStage&) = delete;
  virtual ~LeakStage() = default;

  /** Shows a scene from its first frame on, and looks for the secret after each. What leaked, in words. */
  [[nodiscard]] virtual std::optional<std::string> show(const LeakScene& scene) = 0;

  struct Account {
    size_t frames = 0;
    size_t inProtectedMemory = 0; ///< frames that were composed there
    size_t captures = 0;
    size_t buffersSearched = 0;
    size_t recoveries = 0; ///< of the GPU
  };
  [[nodiscard]] const Account& account() const { return account_; }

protected:
  /** Green where everybody can see it; see searchBuffers(). */
  [[nodiscard]] std::optional<std::string> search();
  Account account_;
};

/** The first of VITRINE_LEAK_SEED, or one by chance; says it. */
[[nodiscard]] unsigned leakSeed();
/** VITRINE_LEAK_SCENES, or `otherwise`. A tenth of them under the validation layer, which is slow, but enough to be a fair choice. */
[[nodiscard]] unsigned leakScenes(unsigned otherwise, bool validation);

/** Shows `scenes` random scenes, each from a seed of its own from `seed` on. A leak fails the test with the smallest scene
 * that shows it. */
void showScenes(LeakStage& stage, unsigned seed, unsigned scenes);

} // namespace vitrine::test
