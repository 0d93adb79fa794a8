/// The change of one member by a PATCH.
package enum Change<Value: Sendable>: Sendable {
    /// The member is absent. The stored value stays.
    case keep
    /// The member is `null`. The stored value is cleared.
    case clear
    /// The member has a value, which replaces the stored value.
    case set(Value)

    /// Returns the change with its value converted.
    ///
    /// Throws the error of the conversion.
    package func map<Other: Sendable, E: Error>(
        _ convert: (Value) throws(E) -> Other
    ) throws(E) -> Change<Other> {
        switch self {
        case .keep: .keep
        case .clear: .clear
        case .set(let value): .set(try convert(value))
        }
    }

    /// Returns the stored value after the change.
    package func applied(to current: Value?) -> Value? {
        switch self {
        case .keep: current
        case .clear: nil
        case .set(let value): value
        }
    }
}

extension Change: Equatable where Value: Equatable {}
