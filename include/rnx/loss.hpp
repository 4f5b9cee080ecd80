// Room loss: per-sample losses with gradients, their sums, labels and values.
//
//   loss::Labels<> labels(host_labels, classes);
//   loss::Values<float> values(128);
//   const auto objective = loss::sum(loss::term(0.5, loss::CrossEntropy{labels.data()}),
//   loss::term(0.5, loss::Kl{teacher.logits(), 4.0})); net.forward(trace, x, ctx);
//   double mean = loss::mean(objective, trace, values);    // and the gradients are in the trace
//   net.backward(trace, {}, &grads);
#pragma once

#include "rnx/loss/call.hpp"
#include "rnx/loss/distance.hpp"
#include "rnx/loss/labels.hpp"
#include "rnx/loss/logits.hpp"
#include "rnx/loss/margin.hpp"
#include "rnx/loss/sum.hpp"
#include "rnx/loss/values.hpp"
