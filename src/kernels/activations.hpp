// What stands between the layers of a network, and in its losses, element by element on rows: their bits depend on the
// element alone. The padding of rows stays zero. Single-threaded.
#pragma once

#include "core/matrix.hpp"

namespace cohort {

/// max(x, 0), in place.
void relu(MatrixView rows);
/// Klambauer et al. 2017 ("Self-Normalizing Neural Networks", eq. 2), in place.
void selu(MatrixView rows);
/// gradient *= the slope of the activation, given by its results.
void relu_backward(ConstMatrixView results, MatrixView gradient);
void selu_backward(ConstMatrixView results, MatrixView gradient);

/// 1 / (1 + exp(-(x - centre) / width)), in place; width > 0.
void sigmoid(MatrixView rows, double centre, double width);

}  // namespace cohort
