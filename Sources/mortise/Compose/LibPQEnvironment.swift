import Glibc

/// The variables of libpq, which describe another server than the one that Mortise runs itself.
///
/// libpq's manual, section 34.15, lists them. Passwords and certificates stay, because further clusters can need them.
enum LibPQEnvironment {
    private static let variables = [
        "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS",
        "PGSSLMODE", "PGSSLCERTMODE",
        "PGREQUIRESSL", "PGSSLNEGOTIATION", "PGCHANNELBINDING", "PGREQUIREPEER", "PGREQUIREAUTH", "PGGSSENCMODE",
        "PGGSSDELEGATION", "PGKRBSRVNAME", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS", "PGCONNECT_TIMEOUT",
        "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ", "PGGEQO", "PGMINPROTOCOLVERSION", "PGMAXPROTOCOLVERSION",
    ]

    /// Removes the variables from the environment of this process.
    ///
    /// Call it before the first connection, because other threads must not read the environment meanwhile.
    static func clear() {
        for name in variables { unsetenv(name) }
    }
}
