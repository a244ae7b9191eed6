//! Machine, Host and the ports through which anything in a cell reaches outside; their real and their simulated mechanics.
