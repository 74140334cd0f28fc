#pragma once

#include <functional>
#include <string>

namespace vitrine::test {

/**
 * Runs `round`, which ends with the GPU idle, until it leaves no more files open and driver's objects alive than
 * any round before. A frame that is in flight for the first time makes what it keeps (Mesa's timeline semaphores keep a fence for
 * each, too), and when that is, is the GPU's business; what leaks does so in every round, and never settles. Needs
 * vulkan_interposer.cpp.
 */
void expectSettles(const std::function<void()>& round, const std::string& what);

} // namespace vitrine::test
