// The golden files in C++: loading, the shared rule for values, comparison with records. See
// README.md; rule.py is the definition.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace golden {

using json = nlohmann::json;

/// tests/golden/NAME.json
inline json load(const std::string& name) {
  const std::string path = RNX_TEST_DIR "/golden/" + name + ".json";
  std::ifstream in(path);
  if (!in) throw std::runtime_error("golden: cannot open " + path);
  return json::parse(in);
}

/// u(name, i) in [0, 1) for the flat index i: Uniform(name)(i).
struct Uniform {
  std::uint32_t hash = 0x811C9DC5u;
  explicit Uniform(std::string_view name) {
    for (const char c : name) hash = (hash ^ std::uint8_t(c)) * 0x01000193u;
  }
  double operator()(std::size_t i) const {
    std::uint32_t z = std::uint32_t(i) * 2654435761u + hash;
    z ^= z >> 16;
    z *= 0x85EBCA6Bu;
    z ^= z >> 13;
    z *= 0xC2B2AE35u;
    z ^= z >> 16;
    return z / 4294967296.0;
  }
};
inline double u(std::string_view name, std::size_t i) { return Uniform(name)(i); }
/// u(name, 0 .. count - 1)
template <class T = double> std::vector<T> u_values(std::string_view name, std::size_t count) {
  const Uniform uniform(name);
  std::vector<T> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = T(uniform(i));
  return v;
}

/// The rule's values of a parameter or buffer, by its full dotted name and PyTorch's shape.
template <class T = double>
std::vector<T> rule_values(std::string_view name, const std::vector<int>& shape) {
  if (name.ends_with("normalize.mean")) return {T(0.4914), T(0.4822), T(0.4465)};
  if (name.ends_with("normalize.std")) return {T(0.2471), T(0.2435), T(0.2616)};
  std::size_t count = 1;
  for (const int k : shape) count *= k;
  const auto values = [&](auto value) {
    const Uniform uniform(name);
    std::vector<T> v(count);
    for (std::size_t i = 0; i < count; ++i) v[i] = T(value(i, uniform(i)));
    return v;
  };
  if (name.find("transform_") != name.npos)
    return values([&](std::size_t i, double r) {
      return (i % (std::size_t(shape[0]) + 1) == 0 ? 1 : 0) + (2 * r - 1) * 0.05;
    });
  if (name.ends_with("running_var")) return values([](std::size_t, double r) { return 0.5 + r; });
  if (name.ends_with("running_mean") || name.ends_with("bias"))
    return values([](std::size_t, double r) { return (2 * r - 1) * 0.1; });
  if (!name.ends_with("weight"))
    throw std::runtime_error("golden: the rule knows no value for '" + std::string(name) + "'");
  if (shape.size() == 1) return values([](std::size_t, double r) { return 0.5 + r; });
  double fan_in = 1;
  for (std::size_t k = 1; k < shape.size(); ++k) fan_in *= shape[k];
  return values([&](std::size_t, double r) { return (2 * r - 1) * std::sqrt(3.0 / fan_in); });
}
/// Sets every parameter and buffer of a network to the rule's values. `prefix` stands before each
/// name, as in the golden's module.
template <class Net> void fill(Net& net, const std::string& prefix = "") {
  using T = typename Net::scalar;
  for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
    for (const auto& p : *list) net.set(p.name, rule_values<T>(prefix + p.name, p.shape));
}

/// Batch k: n images (n, c, h, w) in row-major order, values in [0, 1).
template <class T = double> std::vector<T> batch(int k, int n, std::size_t sample = 3 * 32 * 32) {
  return u_values<T>("input." + std::to_string(k), n * sample);
}
inline std::vector<std::int32_t> labels(int k, int n, int classes) {
  std::vector<std::int32_t> v(n);
  for (int i = 0; i < n; ++i) v[i] = std::int32_t(u("label." + std::to_string(k), i) * classes);
  return v;
}

/// Numbers of a nested array, row-major.
inline void flatten(const json& nested, std::vector<double>& to) {
  if (nested.is_array())
    for (const json& part : nested) flatten(part, to);
  else
    to.push_back(nested.get<double>());
}
inline std::vector<double> numbers(const json& nested) {
  std::vector<double> v;
  flatten(nested, v);
  return v;
}

/// Largest difference of two lists; relative to the l2 norm of the second where `relative`.
/// Infinite when sizes differ or a value is NaN.
template <class Values>
double difference(const Values& values, const std::vector<double>& expected,
                  bool relative = false) {
  if (std::size(values) != expected.size()) return std::numeric_limits<double>::infinity();
  double worst = 0, squares = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = std::abs(double(values[i]) - expected[i]);
    worst = d <= worst ? worst : std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
    squares += expected[i] * expected[i];
  }
  return relative && squares > 0 ? worst / std::sqrt(squares) : worst;
}

/// Error of `values` (row-major, PyTorch's order) against a record, relative to the record's norm:
/// the worst of all listed values, of the norm, and of the sum over sqrt(numel). Records with
/// "full" are compared whole. Infinite when sizes differ or a value is NaN.
template <class Values> double compare_record(const json& record, const Values& values) {
  const std::size_t n = std::size(values);
  std::size_t count = 1;
  for (const json& k : record.at("shape")) count *= k.get<std::size_t>();
  if (n != count) return std::numeric_limits<double>::infinity();
  const double norm = record.at("norm"), scale = norm > 0 ? norm : 1;
  double squares = 0, sum = 0, worst = 0;
  for (std::size_t i = 0; i < n; ++i) {
    squares += double(values[i]) * double(values[i]);
    sum += double(values[i]);
  }
  const auto note = [&](double found, double expected, double weight = 1) {
    const double d = std::abs(found - expected) * weight / scale;
    worst = d <= worst ? worst : std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
  };
  note(std::sqrt(squares), norm);
  note(sum, record.at("sum").get<double>(), 1 / std::sqrt(double(n)));
  const json& at = record.at("at");
  for (std::size_t j = 0; j < at.size(); ++j)
    note(double(values[n <= 64 ? j : j * n / 64]), at[j].get<double>());
  if (record.contains("full")) {
    const std::vector<double> full = numbers(record.at("full"));
    for (std::size_t i = 0; i < n; ++i) note(double(values[i]), full[i]);
  }
  return worst;
}

}  // namespace golden
