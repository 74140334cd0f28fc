#pragma once

#include <functional>
#include <string>

namespace vitrine::test {

/**
 * Calls `round`, which must end with an idle GPU, until a call leaves no more open files and live driver objects than
 * earlier ones. A leak grows with every round and never settles. Other objects are created once, when one more frame is
 * in flight for the first time (also Mesa's fences of timeline semaphores), which may happen in any round. Needs
 * vulkan_interposer.cpp.
 */
void expectSettles(const std::function<void()>& round, const std::string& what);

} // namespace vitrine::test
