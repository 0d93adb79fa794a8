extension Duration {
    /// One hour, for a deadline that a test sets and does not test.
    ///
    /// A test that hangs is ended by its `hangLimit`, so such a deadline only has to be out of reach of a busy machine.
    public static var ample: Duration { .seconds(3600) }

    /// The real time in which this machine, as busy as it is now, does the work that the reference machine does in this duration.
    ///
    /// It is for a deadline that must pass in a test although other things must not take longer than it.
    public var onThisMachine: Duration { self * MachineLoad.slowness }
}
