/// The error of a change that was not made, because somebody changed the object after the caller had read it.
public struct ChangedMeanwhile: Error {
    /// Throws unless an object is as the caller knows it.
    ///
    /// - Parameters:
    ///   - known: The value that the caller knows.
    ///   - present: The present value, read under a lock.
    /// - Throws: `ChangedMeanwhile`.
    static func require<Value: Equatable>(_ known: Value, isStill present: Value) throws(ChangedMeanwhile) {
        guard known == present else { throw ChangedMeanwhile() }
    }
}
