#pragma once

/**
 * The only include of toml++. Distributions build its library with exceptions, which our code does not use, so it is
 * compiled header-only and without exceptions. The header is large: include it in as few files as possible.
 */
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.hpp>
