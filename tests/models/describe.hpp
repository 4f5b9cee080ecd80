// The graph of a network from its types alone: no parameters, no kernels. Counting a model costs a
// fraction of a second to compile.
#pragma once

#include <rnx/models.hpp>

namespace support {

inline rnx::Graph assemble(rnx::GraphBuilder builder, const rnx::Namer& namer, rnx::Dims input) {
  rnx::Graph graph;
  graph.input = input;
  graph.nodes = std::move(builder.nodes);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    rnx::Node& node = graph.nodes[i];
    node.path = namer.paths.at(i);
    for (const auto& p : node.parameters)
      graph.parameters.push_back({rnx::Namer::join(node.path, p.name), p.shape, p.kind, p.init,
                                  p.value, 0, p.count(), int(i)});
    for (const auto& b : node.buffers)
      graph.buffers.push_back({rnx::Namer::join(node.path, b.name), b.shape, b.kind, b.init,
                               b.value, 0, b.count(), int(i)});
  }
  for (const auto& tag : namer.tags) graph.nodes.at(tag.site).tags.push_back(tag.tag);
  return graph;
}

/// Nodes with their paths, parameters and buffers with their names; offsets are left at zero.
template <class Spec, class In> rnx::Graph describe() {
  rnx::GraphBuilder builder;
  rnx::bound_t<rnx::strip_t<Spec>, In, rnx::cpu, float>::describe(builder, -1);
  rnx::Namer namer;
  rnx::walk_names<Spec>(namer, "");
  return assemble(std::move(builder), namer, In::dims);
}

}  // namespace support
