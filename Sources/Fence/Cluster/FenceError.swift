/// A change whose outcome is not known under its fence.
public enum FenceError: Error, Sendable, Hashable {
    /// The change was made or not made, and a verification can see the older state for a short time.
    ///
    /// The answer is 503. A repetition of the change leads to the promise.
    case unknown
}

extension FenceError: CustomStringConvertible {
    /// A sentence about the fault.
    public var description: String {
        switch self {
        case .unknown: "the outcome of the change is unknown; repeat the request"
        }
    }
}
