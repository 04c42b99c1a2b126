//! The mock authorization server: one file per endpoint, realm state, clock, journal.
//!
//! Floor 3. Asks the policy and knows no fault, variant or profile by name. Protocol logic is pure; axum stands at the edge.
