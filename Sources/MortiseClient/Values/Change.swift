/// A change of a setting that can also be cleared.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "update")
public enum Change<Value: Sendable & Hashable>: Sendable, Hashable {
    /// The setting keeps its value.
    case keep
    /// The setting gets this value.
    case set(Value)
    /// The setting is removed, as if it had never been given a value.
    case clear
}
