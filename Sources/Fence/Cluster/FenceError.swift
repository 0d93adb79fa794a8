/// A change that could not be made under a fence.
public enum FenceError: Error, Sendable, Hashable {
    /// No fence was inserted, so the change was not made.
    case notStarted
    /// The change was made or not made, and a verification can see the older state for a short time.
    ///
    /// The answer is 503. A repetition of the change leads to the promise.
    case unknown
}

extension FenceError: CustomStringConvertible {
    /// A sentence about the fault.
    public var description: String {
        switch self {
        case .notStarted: "the change was not made, because the cluster's database accepts no fence"
        case .unknown: "the outcome of the change is unknown; repeat the request"
        }
    }
}
