/// What a PATCH says about one member.
package enum Change<Value: Sendable>: Sendable {
    /// The member is absent: what is stored stays.
    case keep
    /// The member is `null`: what is stored is cleared.
    case clear
    /// The member has a value.
    case set(Value)

    /// The change with its value converted; a conversion that throws makes the whole throw.
    package func map<Other: Sendable, E: Error>(
        _ convert: (Value) throws(E) -> Other
    ) throws(E) -> Change<Other> {
        switch self {
        case .keep: .keep
        case .clear: .clear
        case .set(let value): .set(try convert(value))
        }
    }

    /// What is stored after the change.
    package func applied(to current: Value?) -> Value? {
        switch self {
        case .keep: current
        case .clear: nil
        case .set(let value): value
        }
    }
}

extension Change: Equatable where Value: Equatable {}
