/// The outcome of a wait.
///
/// In contrast to a `Result`, the error is boxed. An error is large and rare, and it would make every outcome as large as itself.
package enum Outcome<Value: Sendable>: Sendable {
    case success(Value)
    indirect case failure(PostgresError)

    func get() throws(PostgresError) -> Value {
        switch self {
        case .success(let value): return value
        case .failure(let error): throw error
        }
    }
}
